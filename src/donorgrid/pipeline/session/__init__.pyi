from . import model_session as model_session
