"""Polygons of vector tiles, read after the specification (MVT 2.1) and nothing else."""


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """The fields of a protobuf message: number and value."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            length, at = (8, at) if key & 7 == 1 else varint(data, at)
            value, at = data[at : at + length], at + length
        yield key >> 3, value


def packed(data):
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        yield value


def rings(commands):
    """The rings of a polygon's commands, the first point repeated at the end."""
    x = y = 0
    ring, numbers = [], packed(commands)
    for command in numbers:
        if command & 7 == 7:
            yield [*ring, ring[0]]
            continue
        if command & 7 == 1:
            ring = []
        for _ in range(command >> 3):
            dx, dy = next(numbers), next(numbers)
            x, y = x + (dx >> 1 ^ -(dx & 1)), y + (dy >> 1 ^ -(dy & 1))
            ring.append((x, y))


def layers(tile):
    """Each layer's name with its features: id and rings."""
    for number, layer in fields(tile):
        assert number == 3
        name, features = None, []
        for field, value in fields(layer):
            if field == 1:
                name = value.decode()
            elif field == 2:
                feature = dict(fields(value))
                assert feature[3] == 3, "no polygon"
                features.append((feature[1], list(rings(feature[4]))))
        yield name, features
