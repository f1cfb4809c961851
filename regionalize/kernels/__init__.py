"""Arrays in, arrays out; the only room that knows the compiler."""
