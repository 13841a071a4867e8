"""A decoder for small models on a CPU in float32 or bf16, several times as fast as transformers' layers.

What it computes
----------------
The last hidden states of token rows (``models.rows``), with at most one LoRA adapter, and that adapter's gradients.
Everything else (a GPU, several adapters at once, dropout, DoRA, full fine-tuning, generation) goes through
transformers. ``models.reader.Reader`` is the only caller and chooses between the two; nobody else needs this package.

It is fast for four reasons: tokens lie flat, so that no product reads padding and a prefix that all rows share is read
once; linear modules that read the same input are one product; norms, rotary embeddings, gated units and attention in
short rows are compiled loops without intermediate tensors; and the last layer computes only the tokens that are needed.

The layers it knows
-------------------
``architectures._ARCHITECTURES`` lists them by class: Llama, Mistral, Qwen2 (with biases) and Qwen3 (with norms of
heads); each with grouped heads and sliding windows. A layer is: RMS norm, attention with rotary embeddings over the
whole head, residual, RMS norm, ``down(silu(gate) * up)``, residual. Gemma 3 has GELU (tanh) instead of SiLU, norms
whose factor is ``1 + weight``, two further norms before the residuals, and other rotary embeddings in layers with a
sliding window. All linear modules must be plain ``torch.nn.Linear``.

The files
---------
========================  ==========================================================================================
``decoder.py``            all layers, as one function for autograd: ``make_fast_decoder``, ``FastDecoder``
``architectures.py``      what transformers calls the modules of a layer
``layers.py``             one layer: the forward and the backward pass, in the order of the computation
``linear.py``             linear modules as one product, with low-rank adapters
``bf16_products.py``      products in bf16, and the trial of what computes them
``residual.py``           the linear modules that end in the residual stream, with the norm that may stand between
``projections.py``        queries, keys and values
``attention.py``          attention: the compiled kernel for short rows, torch's fused kernel for long ones
``unpadded_rows.py``      the flat tokens of a batch, and its shared prefix
``norms.py``              RMS norms of tokens and of heads
``rotary.py``             rotary embeddings
``activations.py``        gated SiLU and GELU, log-sum-exp of logits
``short_attention.py``    the attention kernel; its parts are ``head_matrices.py``, ``causal_softmax.py`` and
                          ``small_products.py``
``compiled.py``           how functions are compiled; ``code_cache.py`` keeps their machine code on disk
``threads.py``            several threads for one batch
========================  ==========================================================================================

How a new architecture is added
-------------------------------
Take Phi-3, whose layer has one ``qkv_proj`` and one ``gate_up_proj``.

1. Compare transformers' ``Phi3DecoderLayer.forward`` with ``layers.LayerPass.forward``. A step that differs, such as a
   norm after the MLP, needs a step in ``LayerPass.forward`` and its gradient in ``backward``. Phi-3 has no such step:
   its dropouts do nothing in eval mode.
2. ``architectures.py``: write ``_phi3(layer)``, which returns ``LayerModules``. A fused module is a group of one:
   ``qkv=_linear(attention, "self_attn", ("qkv_proj",))``, ``gate_up=_linear(mlp, "mlp", ("gate_up_proj",))``. Nothing
   else changes for it: ``JoinedLinear`` takes any number of modules, and the last layer then computes all queries. The
   numbers of heads come from ``attention.config``. Add ``"Phi3DecoderLayer": _phi3`` to ``_ARCHITECTURES``.
3. ``rotary.py``: ``Rotary`` rotates whole heads. Phi-3 models with ``partial_rotary_factor`` below 1 rotate the first
   part of each head only; extend it, or return None from ``find_layer_modules`` for them.
4. Tests: a tiny configuration with grouped heads in ``tests/worlds.py``, its name among ``KINDS`` in
   ``tests/models/fast_cpu/test_decoder.py``, its class in ``test_known_layers`` in ``test_architectures.py``.
5. Run ``pytest tests/models/fast_cpu``, and ``benchmarks/engine.py`` before and after: known models must stay as fast.

How it is checked against transformers
--------------------------------------
* In tests, for every architecture: hidden states and gradients against transformers' layers and autograd, over trees,
  windows, shared prefixes, short and long rows, adapters on some modules only, weights that change in place.
* At each model's first use, on the shortest and longest sequences at hand: ``Reader.check`` compares log-probabilities
  with transformers' layers. A difference is a warning, and transformers' layers compute.
* Before every batch: ``FastDecoder.prepare`` notices modules that were replaced or hooked.
"""
