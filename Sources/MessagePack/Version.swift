import CMessagePack

/// The release of msgpack-c that the program runs with, such as `4.0.0`.
public var msgpackRelease: String { String(cString: msgpack_version()) }
