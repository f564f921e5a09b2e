"""Image operations: geometry, illumination, ink, skew, resampling, displacement fields."""
