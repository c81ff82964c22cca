import Testing

@testable import MessagePack
