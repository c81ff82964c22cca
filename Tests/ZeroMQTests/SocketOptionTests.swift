import CZeroMQ
import Testing

@testable import ZeroMQ

@Suite("options that do not go together")
struct SocketOptionTests {
  private static let plain = OptionValue(.int32(ZMQ_PLAIN_SERVER), 1)
  private static let enforced = OptionValue(.int32(czmq_zap_enforce_domain), 1)
  private static let domain = OptionValue(.bytes(ZMQ_ZAP_DOMAIN), [100])

  /// The pair ends the process when a peer comes.
  @Test(
    "a PLAIN server that enforces its domain needs one: the raw pair is refused in either order",
    arguments: [[plain, enforced], [enforced, plain]])
  func plainServer(pair: [OptionValue]) throws {
    let context = try Context()
    let socket = try Socket(.router, in: context)
    try socket.set(pair[0])
    let error = #expect(throws: ZMQError.self) { try socket.set(pair[1]) }
    #expect(error?.code == .invalid)
    #expect(error?.call.contains("use SocketOptions.security, .plainServer(domain:)") == true)
    // To turn it off, or to name a domain first, is no harm.
    try socket.set(OptionValue(.int32(pair[1].number), 0))
    try socket.set(Self.domain)
    try socket.set(pair[1])
  }

  @Test("so is the pair in the options of a socket that is made, and the typed option sets what is needed")
  func whenMade() throws {
    let context = try Context()
    var options = SocketOptions()
    options.set(.int32(ZMQ_PLAIN_SERVER), to: 1)
    options.set(.int32(czmq_zap_enforce_domain), to: 1)
    #expect(throws: ZMQError.self) { try Socket(.router, in: context, options: options) }
    options = SocketOptions()
    options.security = .plainServer(domain: "d")
    let socket = try Socket(.router, in: context, options: options)
    try socket.set(Self.enforced)
    try socket.set(Self.plain)
  }
}
