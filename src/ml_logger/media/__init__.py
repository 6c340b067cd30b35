"""Codecs for pictures, videos and sounds: arrays to bytes. Knows no logger; heavy libraries are imported when used."""
