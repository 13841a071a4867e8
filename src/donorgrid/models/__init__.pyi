from . import loading as loading
from . import quantising as quantising
