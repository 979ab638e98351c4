"""ClusterLlm's side of MLX: mlx_lm's server on one node, or split over several by an uneven plan of layers."""

PIN_MLX_LM = "0.32.2"
"""The only mlx-lm that the hooks of this package were tested with; another one is refused at the start."""
