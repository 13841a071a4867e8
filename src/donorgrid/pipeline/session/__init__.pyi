from . import encoders as encoders
