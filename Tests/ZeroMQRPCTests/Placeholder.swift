import Testing

@testable import ZeroMQRPC
