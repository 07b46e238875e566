"""One small State per screen: ask who, call one service, show rows."""
