from . import hub as hub
from . import loading as loading
from . import quantising as quantising
from . import scaled_adapters as scaled_adapters
