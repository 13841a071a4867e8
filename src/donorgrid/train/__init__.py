"""Fine-tuning, from a run's texts to trained weights.

1. ``text_selection`` draws the texts of a run's source and splits off those that validate; ``controls`` changes the
   texts of a control.
2. ``encode`` tokenizes them and marks the tokens that the loss covers: a ``Corpus``. ``written_texts`` writes their
   special tokens out, for other trainers.
3. ``methods.train_runs`` is the entry: it picks ``lora`` (also rsLoRA; several runs at once), ``dora`` or ``full``.
4. The method makes a ``trainable``: rows of parameter values that are active while the network reads. ``attaching``
   lets PEFT make new adapters; ``stacked_adapters`` holds K LoRA adapters; ``network_parameters`` holds parameters of
   the network itself.
5. ``loop.fit`` trains it. Each step, ``losses`` reads a batch (``batches`` lays texts in rows) and gives gradients,
   ``adamw`` clips them and steps, ``schedule`` gives the learning rate. ``progress`` keeps each training's log, best
   epoch and checkpoints, and its failure if it diverges.
6. ``result`` is what comes back: the log, and how to save the weights into a folder.
"""
