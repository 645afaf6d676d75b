"""Figures of use that outlive a drive (2021/1958 Article 4): how long and how far, never when or where."""
