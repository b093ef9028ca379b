"""Floor 4: networks written for other tools: PyTorch, Keras, ONNX, and drawn as Mermaid, DOT and SVG."""
