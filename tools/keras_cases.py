"""Small models of Keras, one a layer and a way to wire, which `tools.keras_models` records. Needs Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

IMAGE, SEQUENCE, VOLUME, VECTOR = (13, 10, 4), (12, 6), (7, 8, 9, 2), (10,)


def one(layer: Any, *shapes: tuple[int, ...]) -> keras.Model:
    """A model of one layer on inputs of these shapes."""
    inputs = [keras.Input(shape) for shape in shapes]
    return keras.Model(inputs, layer(inputs[0] if len(inputs) == 1 else inputs))


def called(function: Callable[..., Any], *shapes: tuple[int, ...], dtype: str = "float32") -> keras.Model:
    """A model of what a function makes of inputs of these shapes."""
    inputs = [keras.Input(shape, dtype=dtype) for shape in shapes]
    return keras.Model(inputs, function(*inputs))


def _shared() -> keras.Model:
    left, right, conv = keras.Input(IMAGE), keras.Input(IMAGE), layers.Conv2D(5, 3, name="shared", activation="relu")
    return keras.Model([left, right], layers.Add()([conv(left), conv(right)]))


def _nested() -> keras.Model:
    inner = keras.Sequential([layers.Conv2D(4, 3, padding="same"), layers.ReLU()], name="stem")
    image = keras.Input((9, 8, 4))
    x = keras.Input((9, 8, 4))
    block = keras.Model(x, layers.Add()([layers.Conv2D(4, 1)(x), x]), name="block")
    return keras.Model(image, block(block(inner(image))))


def _sequential() -> keras.Model:
    return keras.Sequential([keras.Input(IMAGE), layers.Conv2D(3, 3), layers.Flatten(), layers.Dense(2, "softmax")])


def _several() -> keras.Model:
    image, vector = keras.Input(IMAGE, name="image"), keras.Input(VECTOR, name="vector")
    x = layers.GlobalMaxPooling2D()(layers.Conv2D(6, 3, name="conv")(image))
    x = layers.Concatenate()([x, vector])
    return keras.Model({"image": image, "vector": vector}, [layers.Dense(2, name="a")(x), layers.Dense(3, name="b")(x)])


def _frozen() -> keras.Model:
    model = keras.Sequential([keras.Input(IMAGE), layers.Conv2D(3, 3), layers.BatchNormalization(), layers.Dense(2)])
    model.layers[0].trainable = False
    return model


def _adapted() -> keras.Model:
    layer = layers.Normalization()
    layer.adapt(np.arange(8, dtype="float32").reshape(2, 4))
    return one(layer, (4,))


def _causal(query: Any, value: Any) -> Any:
    return layers.MultiHeadAttention(2, 3)(query, value, use_causal_mask=True)


def _masked(*shape: int) -> keras.Model:
    """Attention of positions to each other that sees some pairs of them, or some of them."""
    x, mask = keras.Input(SEQUENCE), keras.Input(shape, dtype="bool")
    name = "attention_mask" if len(shape) == 2 else "value_mask"
    return keras.Model([x, mask], layers.MultiHeadAttention(2, 3)(x, x, **{name: mask}))


def _attention_masked() -> keras.Model:
    query, value = keras.Input(SEQUENCE), keras.Input((9, 6))
    masks = [keras.Input((12,), dtype="bool"), keras.Input((9,), dtype="bool")]
    return keras.Model([query, value, *masks], layers.Attention(use_scale=True)([query, value], mask=masks))


def _both_states(given: Any) -> Any:
    """Of two directions all that both give but the numbers of their cells."""
    return [given[0], given[1], given[3]]


def _token(x: Any) -> Any:
    """A small vision transformer's way: patches as tokens, a block, and their mean."""
    x = layers.Reshape((-1, 8))(layers.Conv2D(8, 2, strides=2)(x))
    x = layers.Add()([x, layers.MultiHeadAttention(2, 4)(layers.LayerNormalization()(x), x)])
    return layers.Dense(3)(layers.GlobalAveragePooling1D()(layers.Dense(8, "gelu")(x)))


def _shuffled(x: Any) -> Any:
    """Channels shuffled as ShuffleNet's are in Keras."""
    x = layers.Permute((1, 2, 4, 3))(layers.Reshape((13, 10, 2, 2))(x))
    return layers.Conv2D(3, 3)(layers.Reshape((13, 10, 4))(x))


CASES: dict[str, Callable[[], keras.Model]] = {
    "conv1d_causal": lambda: one(layers.Conv1D(5, 3, padding="causal", dilation_rate=2), SEQUENCE),
    "conv1d_same": lambda: one(layers.Conv1D(5, 4, strides=3, padding="same"), SEQUENCE),
    "conv2d_valid": lambda: one(layers.Conv2D(6, (3, 2), strides=(2, 1), activation="relu"), IMAGE),
    "conv2d_same": lambda: one(layers.Conv2D(6, 3, strides=2, padding="same", use_bias=False), IMAGE),
    "conv2d_groups": lambda: one(layers.Conv2D(6, 3, groups=2, dilation_rate=2, activation="swish"), IMAGE),
    "conv2d_first": lambda: one(layers.Conv2D(6, 3, padding="same", data_format="channels_first"), (4, 13, 10)),
    "conv3d": lambda: one(layers.Conv3D(3, 3, strides=2, padding="same"), VOLUME),
    "depthwise1d": lambda: one(layers.DepthwiseConv1D(3, depth_multiplier=2), SEQUENCE),
    "depthwise2d": lambda: one(layers.DepthwiseConv2D(3, depth_multiplier=3, strides=2, padding="same"), IMAGE),
    "separable1d": lambda: one(layers.SeparableConv1D(5, 3, depth_multiplier=2), SEQUENCE),
    "separable2d": lambda: one(layers.SeparableConv2D(5, 3, padding="same", activation="relu6"), IMAGE),
    "transpose1d": lambda: one(layers.Conv1DTranspose(5, 4, strides=3), SEQUENCE),
    "transpose2d_same": lambda: one(layers.Conv2DTranspose(5, 3, strides=2, padding="same"), IMAGE),
    "transpose2d_valid": lambda: one(layers.Conv2DTranspose(5, 2, strides=3), IMAGE),
    "transpose2d_more": lambda: one(layers.Conv2DTranspose(5, 5, strides=2, padding="same", output_padding=1), IMAGE),
    "transpose2d_less": lambda: one(layers.Conv2DTranspose(5, 4, strides=3, output_padding=0), IMAGE),
    "transpose2d_odd": lambda: one(layers.Conv2DTranspose(5, 4, strides=3, padding="same", output_padding=2), IMAGE),
    "transpose2d_dilated": lambda: one(layers.Conv2DTranspose(5, 3, padding="same", dilation_rate=2), IMAGE),
    "transpose3d": lambda: one(layers.Conv3DTranspose(2, 3, strides=2, padding="same"), VOLUME),
    "dense": lambda: one(layers.Dense(7, activation="softmax"), VECTOR),
    "dense_on_image": lambda: one(layers.Dense(7, use_bias=False), IMAGE),
    "dense_on_sequence": lambda: one(layers.Dense(7), SEQUENCE),
    "einsum_dense": lambda: one(layers.EinsumDense("abc,cd->abd", (None, 5), bias_axes="d"), SEQUENCE),
    "einsum_heads": lambda: one(layers.EinsumDense("abc,cde->abde", (None, 2, 5), bias_axes="de"), SEQUENCE),
    "embedding": lambda: called(lambda x: layers.Embedding(11, 5)(x), (12,), dtype="int32"),
    "max_pool1d": lambda: one(layers.MaxPooling1D(3, strides=2, padding="same"), SEQUENCE),
    "max_pool2d": lambda: one(layers.MaxPooling2D(3, strides=2), IMAGE),
    "average_pool2d": lambda: one(layers.AveragePooling2D(3, strides=2, padding="same"), IMAGE),
    "average_pool3d": lambda: one(layers.AveragePooling3D(2), VOLUME),
    "global_average1d": lambda: one(layers.GlobalAveragePooling1D(), SEQUENCE),
    "global_average2d": lambda: one(layers.GlobalAveragePooling2D(), IMAGE),
    "global_max3d": lambda: one(layers.GlobalMaxPooling3D(keepdims=True), VOLUME),
    "adaptive_average2d": lambda: one(layers.AdaptiveAveragePooling2D((4, 3)), IMAGE),
    "zero_padding1d": lambda: one(layers.ZeroPadding1D((1, 2)), SEQUENCE),
    "zero_padding2d": lambda: one(layers.ZeroPadding2D(((1, 0), (2, 3))), IMAGE),
    "zero_padding2d_pair": lambda: one(layers.ZeroPadding2D((1, 2)), IMAGE),
    "zero_padding3d": lambda: one(layers.ZeroPadding3D(1), VOLUME),
    "cropping1d": lambda: one(layers.Cropping1D((1, 2)), SEQUENCE),
    "cropping2d": lambda: one(layers.Cropping2D(((1, 0), (2, 3))), IMAGE),
    "upsampling1d": lambda: one(layers.UpSampling1D(3), SEQUENCE),
    "upsampling2d": lambda: one(layers.UpSampling2D((2, 3), interpolation="bilinear"), IMAGE),
    "upsampling3d": lambda: one(layers.UpSampling3D(2), VOLUME),
    "resizing": lambda: one(layers.Resizing(7, 5, interpolation="nearest"), IMAGE),
    "center_crop": lambda: one(layers.CenterCrop(7, 5), IMAGE),
    "rescaling": lambda: one(layers.Rescaling(1 / 255, offset=-1.0), IMAGE),
    "rescaling_channels": lambda: one(layers.Rescaling([1.0, 2.0, 3.0, 4.0]), IMAGE),
    "normalization": lambda: one(layers.Normalization(mean=[1.0, 2, 3, 4], variance=[1.0, 4, 9, 16]), IMAGE),
    "normalization_adapted": _adapted,
    "batch_norm": lambda: one(layers.BatchNormalization(), IMAGE),
    "batch_norm_first": lambda: one(layers.BatchNormalization(axis=1), IMAGE),
    "batch_norm_no_scale": lambda: one(layers.BatchNormalization(scale=False), IMAGE),
    "batch_norm_no_center": lambda: one(layers.BatchNormalization(center=False), SEQUENCE),
    "batch_norm_neither": lambda: one(layers.BatchNormalization(center=False, scale=False), VECTOR),
    "layer_norm": lambda: one(layers.LayerNormalization(), IMAGE),
    "layer_norm_all": lambda: one(layers.LayerNormalization(axis=(1, 2, 3)), IMAGE),
    "layer_norm_no_scale": lambda: one(layers.LayerNormalization(scale=False), SEQUENCE),
    "group_norm": lambda: one(layers.GroupNormalization(2), IMAGE),
    "group_norm_instance": lambda: one(layers.GroupNormalization(-1, center=False), IMAGE),
    "rms_norm": lambda: one(layers.RMSNormalization(), SEQUENCE),
    "unit_norm": lambda: one(layers.UnitNormalization(), SEQUENCE),
    "spectral_norm": lambda: one(layers.SpectralNormalization(layers.Conv2D(3, 3)), IMAGE),
    "relu_max": lambda: one(layers.ReLU(max_value=6.0), IMAGE),
    "leaky_relu": lambda: one(layers.LeakyReLU(0.1), IMAGE),
    "prelu_channels": lambda: one(layers.PReLU(shared_axes=[1, 2]), IMAGE),
    "prelu_all": lambda: one(layers.PReLU(shared_axes=[1, 2, 3]), IMAGE),
    "prelu_positions": lambda: one(layers.PReLU(), IMAGE),
    "softmax": lambda: one(layers.Softmax(), SEQUENCE),
    "dropout": lambda: one(layers.Dropout(0.3), IMAGE),
    "dropout_rows": lambda: one(layers.Dropout(0.3, noise_shape=(None, 1, 1, 1)), IMAGE),
    "spatial_dropout": lambda: one(layers.SpatialDropout2D(0.3), IMAGE),
    "gaussian_noise": lambda: one(layers.GaussianNoise(0.3), IMAGE),
    "random_flip": lambda: one(layers.RandomFlip(), IMAGE),
    "flatten": lambda: one(layers.Flatten(), IMAGE),
    "flatten_first": lambda: one(layers.Flatten(data_format="channels_first"), IMAGE),
    "reshape": lambda: one(layers.Reshape((-1, 8)), IMAGE),
    "permute": lambda: one(layers.Permute((3, 1, 2)), IMAGE),
    "repeat_vector": lambda: one(layers.RepeatVector(3), VECTOR),
    "add": lambda: one(layers.Add(), IMAGE, IMAGE, (1, 1, 4)),
    "subtract": lambda: one(layers.Subtract(), IMAGE, IMAGE),
    "multiply_vector": lambda: one(layers.Multiply(), IMAGE, (4,)),
    "average": lambda: one(layers.Average(), IMAGE, IMAGE, IMAGE),
    "maximum": lambda: one(layers.Maximum(), IMAGE, IMAGE, IMAGE),
    "minimum": lambda: one(layers.Minimum(), VECTOR, VECTOR),
    "concatenate": lambda: one(layers.Concatenate(), IMAGE, (13, 10, 2)),
    "concatenate_rows": lambda: one(layers.Concatenate(axis=1), IMAGE, (3, 10, 4)),
    "dot": lambda: one(layers.Dot(axes=2), SEQUENCE, (5, 6)),
    "dot_vectors": lambda: one(layers.Dot(axes=1), VECTOR, VECTOR),
    "attention": lambda: one(layers.Attention(), SEQUENCE, SEQUENCE),
    "attention_scaled": lambda: one(layers.Attention(use_scale=True), SEQUENCE, SEQUENCE),
    "additive_attention": lambda: one(layers.AdditiveAttention(), SEQUENCE, SEQUENCE),
    "multi_head": lambda: called(lambda x: layers.MultiHeadAttention(2, 3)(x, x), SEQUENCE),
    "multi_head_scores": lambda: called(
        lambda x: layers.MultiHeadAttention(2, 3)(x, x, return_attention_scores=True), SEQUENCE
    ),
    "multi_head_wide": lambda: called(lambda q, v: layers.MultiHeadAttention(2, 5, 4)(q, v), SEQUENCE, (9, 7)),
    "multi_head_causal": lambda: called(_causal, SEQUENCE, SEQUENCE),
    "multi_head_causal_alone": lambda: called(
        lambda x: layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True), SEQUENCE
    ),
    "multi_head_masked": lambda: _masked(12, 12),
    "multi_head_masked_positions": lambda: _masked(12),
    "attention_masked": _attention_masked,
    "attention_causal": lambda: called(lambda q: layers.Attention()([q, q], use_causal_mask=True), SEQUENCE),
    "grouped_query": lambda: called(lambda x: layers.GroupQueryAttention(3, 4, 2)(x, x), SEQUENCE),
    "lstm": lambda: one(layers.LSTM(5), SEQUENCE),
    "lstm_without_bias": lambda: one(layers.LSTM(5, use_bias=False, return_sequences=True), SEQUENCE),
    "gru": lambda: one(layers.GRU(5), SEQUENCE),
    "gru_both_ways": lambda: one(layers.Bidirectional(layers.GRU(5, return_sequences=True)), SEQUENCE),
    "gru_reset_first": lambda: one(layers.GRU(5, reset_after=False, return_sequences=True), SEQUENCE),
    "gru_reset_first_without_bias": lambda: one(layers.GRU(5, use_bias=False, reset_after=False), SEQUENCE),
    "gru_reset_first_both_ways": lambda: one(layers.Bidirectional(layers.GRU(5, reset_after=False)), SEQUENCE),
    "lstm_both_ways": lambda: one(layers.Bidirectional(layers.LSTM(5)), SEQUENCE),
    "lstm_both_ways_added": lambda: one(
        layers.Bidirectional(layers.LSTM(5, return_sequences=True), merge_mode="sum"), SEQUENCE
    ),
    "lstm_both_ways_multiplied": lambda: one(layers.Bidirectional(layers.LSTM(5), merge_mode="mul"), SEQUENCE),
    "lstm_both_ways_mean": lambda: one(layers.Bidirectional(layers.LSTM(5), merge_mode="ave"), SEQUENCE),
    "lstm_both_ways_apart": lambda: one(
        layers.Bidirectional(layers.LSTM(5, return_sequences=True), merge_mode=None), SEQUENCE
    ),
    "lstm_both_ways_states": lambda: called(
        lambda x: _both_states(layers.Bidirectional(layers.LSTM(5, return_sequences=True, return_state=True))(x)),
        SEQUENCE,
    ),
    "lstm_from_the_end": lambda: one(layers.LSTM(5, go_backwards=True, return_sequences=True), SEQUENCE),
    "lstm_states": lambda: called(lambda x: layers.LSTM(5, return_sequences=True, return_state=True)(x)[:2], SEQUENCE),
    "lstm_cells": lambda: called(lambda x: layers.LSTM(5, return_state=True)(x)[2], SEQUENCE),
    "gru_state_alone": lambda: called(
        lambda x: layers.GRU(5, reset_after=False, return_sequences=True, return_state=True)(x)[1], SEQUENCE
    ),
    "rnn_of_cells": lambda: one(layers.RNN([layers.LSTMCell(5), layers.SimpleRNNCell(4)]), SEQUENCE),
    "rnn_of_a_cell": lambda: one(layers.RNN(layers.LSTMCell(5), return_sequences=True), SEQUENCE),
    "simple_rnn": lambda: one(layers.SimpleRNN(5, use_bias=False), SEQUENCE),
    "conv_lstm1d": lambda: one(layers.ConvLSTM1D(3, 3, strides=2, return_sequences=True), (5, 9, 2)),
    "conv_lstm3d": lambda: one(layers.ConvLSTM3D(2, 2, use_bias=False, padding="same"), (3, 4, 5, 3, 2)),
    "conv_lstm_dilated": lambda: one(layers.ConvLSTM2D(3, (3, 2), dilation_rate=2), (4, 9, 8, 2)),
    "conv_lstm_hard": lambda: one(layers.ConvLSTM2D(3, 3, recurrent_activation="hard_sigmoid"), (5, 8, 9, 2)),
    "conv_lstm": lambda: one(layers.ConvLSTM2D(3, 3, padding="same"), (5, 8, 9, 2)),
    "time_distributed": lambda: one(layers.TimeDistributed(layers.Conv2D(3, 3, strides=2, padding="same")), VOLUME),
    "time_distributed_model": lambda: one(
        layers.TimeDistributed(
            keras.Sequential([layers.Conv2D(3, 3), layers.BatchNormalization(), layers.GlobalAveragePooling2D()])
        ),
        VOLUME,
    ),
    "time_distributed_dense": lambda: one(layers.TimeDistributed(layers.Dense(3)), SEQUENCE),
    "op_arithmetic": lambda: called(lambda x, y: (2 - x) * y / 3 + x**2, IMAGE, IMAGE),
    "op_constant": lambda: called(lambda x: x * np.ones((4,), "float32"), IMAGE),
    "op_mean": lambda: called(lambda x: ops.mean(x, axis=[1, 2]), IMAGE),
    "op_max_kept": lambda: called(lambda x: ops.max(x, axis=-1, keepdims=True), IMAGE),
    "op_reshape": lambda: called(lambda x: ops.reshape(x, (-1, 130, 4)), IMAGE),
    "op_transpose": lambda: called(lambda x: ops.transpose(x, (0, 3, 1, 2)), IMAGE),
    "op_slice": lambda: called(lambda x: x[:, 1:9:2, :, 0], IMAGE),
    "op_new_axis": lambda: called(lambda x: x[:, None, ..., None], IMAGE),
    "op_last": lambda: called(lambda x: x[..., -2:], IMAGE),
    "op_expand_squeeze": lambda: called(lambda x: ops.squeeze(ops.expand_dims(x, 2), 2), IMAGE),
    "op_pad": lambda: called(lambda x: ops.pad(x, [[0, 0], [1, 1], [2, 0], [0, 0]]), IMAGE),
    "op_split": lambda: called(lambda x: ops.split(x, 2, axis=-1), IMAGE),
    "op_stack": lambda: called(lambda x, y: ops.stack([x, y], axis=1), IMAGE, IMAGE),
    "op_matmul": lambda: called(ops.matmul, SEQUENCE, (6, 3)),
    "op_einsum": lambda: called(lambda x, y: ops.einsum("abc,adc->abd", x, y), SEQUENCE, SEQUENCE),
    "op_resize": lambda: called(lambda x: ops.image.resize(x, (6, 7)), IMAGE),
    "op_roll_repeat": lambda: called(lambda x: ops.repeat(ops.roll(x, 1, axis=1), 2, axis=2), IMAGE),
    "op_depth_to_space": lambda: called(lambda x: ops.depth_to_space(x, 2), IMAGE),
    "op_where": lambda: called(lambda x, y: ops.where(x > 0, x, y), IMAGE, IMAGE),
    "op_activations": lambda: called(lambda x: ops.gelu(ops.softplus(ops.hard_silu(ops.clip(x, 0, 1)))), IMAGE),
    "shared": _shared,
    "nested": _nested,
    "sequential": _sequential,
    "several_inputs": _several,
    "frozen": _frozen,
    "tokens": lambda: called(_token, (8, 8, 3)),
    "channel_shuffle": lambda: called(_shuffled, IMAGE),
}
"""Name -> what makes the model."""
