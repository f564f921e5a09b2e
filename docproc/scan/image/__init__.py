"""Operations on one image: geometry, ink, light, skew, resampling."""
