"""From a question to an answer: the search language, the engine and its arithmetic."""
