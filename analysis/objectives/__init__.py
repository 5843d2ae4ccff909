"""What a service must keep: objectives as people write them, and whether a run met them."""
