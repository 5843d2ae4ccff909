"""How much a service carries: levels of load, and the rate at which its objectives give way."""
