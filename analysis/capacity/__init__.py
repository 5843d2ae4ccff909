"""How much a service carries: levels of load, and the rate at which its objectives give way."""

CONFIDENCE = 0.95  # of the answer, and of the figures of each level
