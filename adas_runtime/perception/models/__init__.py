"""Neural networks that can be trusted: a manifest says what a model is, and every load proves it before it may look.

`manifest` and `onnx_file` say what a model must be, `store` and `pull` where its file is, `providers` and `session` run
it, `preprocess` and `decoders` lead from a picture to pixels of that picture, `model` holds them together. OpenCV and
onnxruntime are imported only where a model is loaded.
"""
