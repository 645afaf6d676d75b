"""The encounters of `alks.md` section 4, with what its three models say of each."""

from __future__ import annotations

# id, our speed, its speed [km/h], gap [m], lateral speed [m/s], CCD, FSM, RSS, must be avoided by A09
CUT_IN = """
CI01 30 10 15 0.5 P1.2 P6.0 P4.5 no
CI02 30 10 12 1.5 P0.7 P3.2 P4.3 yes
CI03 30 10 10 1.0 U5.0 P1.2 P2.3 no
CI04 40 20 10 1.2 U4.8 P1.2 P2.3 yes
CI05 40 20 45 1.0 N P9.8 P7.6 yes
CI06 50 20 18 1.8 U1.8 P1.9 P4.9 no
CI07 50 20 12 1.5 U8.3 U4.7 U4.1 no
CI08 50 30 20 1.0 N P11.1 P10.8 yes
CI09 60 10 20 1.5 U13.9 U10.7 U10.4 no
CI10 60 10 45 0.8 N P6.5 P4.4 yes
CI11 60 20 30 1.0 P1.8 P4.6 P7.6 yes
CI12 60 20 18 1.8 U10.6 U6.1 U4.9 no
CI13 60 30 20 1.2 P0.9 P3.9 P6.9 yes
CI14 60 40 12 0.8 U2.9 P3.2 P4.5 no
CI15 60 50 8 0.5 P3.1 P4.6 P10.4 yes
CI16 60 50 20 1.0 N P16.6 P16.7 yes
CI17 90 50 18 1.2 U10.9 U6.1 U4.9 no
CI18 90 60 20 1.2 P0.9 P3.9 P6.9 yes
CI19 90 60 18 1.5 U2.9 P1.9 P4.9 yes
CI20 110 70 30 1.2 P2.4 P4.6 P10.4 yes
CI21 110 70 15 1.2 U11.1 U8.5 U8.3 no
CI22 110 80 50 0.8 N P33.8 P26.4 yes
CI23 130 100 8 1.8 U8.3 U8.0 U8.0 no
CI24 130 80 25 1.2 U13.1 U7.4 U5.6 no
CI25 130 60 35 1.8 U18.1 U13.6 U12.3 no
CI26 130 60 110 0.8 N P31.4 P20.2 yes
"""
# id, speed [km/h], gap to the car ahead, from its front to what it uncovers [m], lateral speed [m/s], CCD, FSM, RSS
CUT_OUT = """
CO01 40 22.22 10 2.5 P10.8 P2.3 P1.3
CO02 60 33.33 40 2.5 P33.0 P1.5 P1.3
CO03 80 44.44 40 1.5 P18.8 P0.4 P1.3
CO04 100 55.56 20 3.0 U14.8 U13.5 U7.2
CO05 100 55.56 30 2.0 U9.7 U9.0 P1.3
CO06 120 66.67 60 1.5 P1.6 U5.4 P1.3
CO07 130 72.22 40 2.5 U20.1 U19.9 U13.6
CO08 130 72.22 80 1.0 P5.0 U3.6 P1.3
"""
# id, speed [km/h], gap [m], deceleration [m/s^2], CCD, FSM, RSS
BRAKING = """
DE01 40 22.22 7.0 P7.0 P2.3 P1.3
DE02 60 33.33 6.5 P12.4 P2.8 P1.3
DE03 80 44.44 6.0 P21.1 P3.0 P1.3
DE04 100 55.56 8.0 P12.9 U5.4 P1.3
DE05 120 66.67 7.0 P24.8 U8.1 P1.3
DE06 120 66.67 9.81 P2.1 U14.1 U5.9
DE07 130 72.22 7.593 P20.2 U12.5 P1.3
DE08 130 72.22 6.0 P43.0 U4.5 P1.3
"""
