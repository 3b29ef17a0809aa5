"""Bodies and other things that ghosts are tried out with: contracts, and what stands behind them."""
