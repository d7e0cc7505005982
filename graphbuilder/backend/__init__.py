"""Building, training and compressing models in either Keras: the only room that imports TensorFlow."""
