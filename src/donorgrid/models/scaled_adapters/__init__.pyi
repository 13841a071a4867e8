from .writing import write_scaled as write_scaled
