from . import pretrain as pretrain
from .base_model import BASE_MODEL_SEED as BASE_MODEL_SEED
from .base_model import WEIGHTS_SHA256 as WEIGHTS_SHA256
from .base_model import model_folder as model_folder
from .items import documents as documents
from .wording import LANGUAGES as LANGUAGES
from .world import TASKS as TASKS
