"""The pull: what crosses the network to hospitals' servers, and lands what they send as it was received."""
