from . import power as power
