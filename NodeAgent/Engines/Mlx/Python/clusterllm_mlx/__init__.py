"""ClusterLlm's side of MLX: mlx_lm's server on one node, or split over several by an uneven plan of layers."""

PIN_MLX = "0.32.4"
PIN_MLX_LM = "0.32.2"
"""The only versions that the hooks of this package were tested with; others are refused at the start, so that all ranks have the same."""
