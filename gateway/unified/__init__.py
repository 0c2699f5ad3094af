"""The unified API, `/unified/hris/*`: reads and writes from request to answer."""
