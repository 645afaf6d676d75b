"""Driver control assistance (UN R171): modes, engagement of the driver, following, set speed, manoeuvres."""
