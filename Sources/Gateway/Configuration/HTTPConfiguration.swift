import ConfigurationReader
public import HTTPServer
public import MessagePack
import Reactor

extension Configuration {
  /// Where and how HTTP is served: `http`.
  public struct HTTP: Sendable, Hashable {
    /// The addresses to listen on, at least one (default: 127.0.0.1:8080).
    public var listen = [ListenAddress.loopback(port: 8_080)]
    /// Where operations are served instead: metrics, status, reloading; nil: with everything else, without reloading (default).
    public var admin: ListenAddress?
    /// What is shown over TLS at each address but Unix sockets and an `admin` on loopback; nil: TLS is not spoken (default).
    public var tls: TLS?
    /// Whether the file named those whose client certificates count, be it in vain.
    private(set) var saysWhoIsTrusted = false
    /// The mode of the files of Unix sockets, 0...0o777 (default: 0o660).
    public var socketMode: UInt32 = 0o660
    /// Shards, each a thread: 0...256, 0 for one per core (default: 0).
    public var threads = 0
    /// What every path starts with, such as `/api`; no slash at its end (default: empty).
    public var prefix = ""
    /// Names of hosts that are served besides IP addresses and `localhost`, in small letters (default: none). On loopback all
    /// others are refused; elsewhere they are once this names any.
    public var hosts: [String] = []
    /// Pages of other origins that may call.
    public var cors = CORS()
    /// Addresses of proxies that are believed when they say who has asked them (default: none).
    public var trustedProxies: [AddressRange] = []
    /// Where they say it (default: `X-Forwarded-For`).
    public var proxyHeader = ProxyHeader.forwardedFor
    /// Whether answers to calls tell how long their parts took, as `Server-Timing` (default: false).
    public var serverTiming = false
    /// Bounds on what clients may send and hold.
    public var limits = Limits()

    /// Loopback on port 8080, one thread per core.
    public init() {}

    /// What is shown where operations are served: who looks from this machine needs no TLS.
    package var tlsOfAdmin: TLS? { admin?.isLoopback == false ? tls : nil }

    /// What holds where operations are served: whatever `cors` lists, no page of a browser may look, or ask for anything.
    var ofOperations: HTTP {
      var http = self
      http.cors = CORS()
      return http
    }

    /// Who may look after the gateway: whoever reaches an address that only this machine reaches, else those who may call.
    func accessToOperations(_ access: Access) -> Access { admin?.isLoopback == true ? .open : access }

    /// How many threads there may be.
    public static let threadRange = 0...256

    /// Takes each key; returns where each address to listen on stands. Paths are those of the folder of the configuration.
    mutating func read(_ section: Section, in folder: String) -> [Place] {
      let places = readListen(section)
      section.read("threads", into: &threads) { $0.integer(in: Self.threadRange) }
      section.read("prefix", into: &prefix, Self.prefix)
      section.read("chunked", into: &limits.server.chunked) { $0.choice() }
      if let inner = section.section("limits") { limits.read(inner) }
      section.read("hosts", into: &hosts) { field in
        field.elements()?.compactMap { $0.value("the name of a host", Self.host) }
      }
      if let inner = section.section("cors") { cors.read(inner) }
      section.read("trusted-proxies", into: &trustedProxies) { field in
        field.elements()?.compactMap { $0.value("addresses such as 10.0.0.0/8", Self.range) }
      }
      section.read("proxy-header", into: &proxyHeader) { $0.choice() }
      if section.has("proxy-header"), trustedProxies.isEmpty {
        section.report("has no effect without trusted-proxies, which names those who are believed", at: "proxy-header")
      }
      section.read("server-timing", into: &serverTiming) { $0.boolean() }
      section.read("admin", into: &admin) { $0.value("host:port or unix:/path", ListenAddress.init(_:)) }
      section.read("socket-mode", into: &socketMode) { $0.value("a mode such as \"0660\"", Self.mode) }
      if let inner = section.section("tls") {
        saysWhoIsTrusted = inner.has("client-ca")
        tls = TLS(inner, in: folder)
      }
      section.finish(hints: [
        (["port", "host", "address"], "write listen: \"127.0.0.1:8080\""), (Limits.keys, "it goes under limits"),
        (["origins"], "it goes under cors"), (["certificate"], "it goes under tls"),
        (["level"], "it goes under log, at the top"),
      ])
      return places
    }

    private mutating func readListen(_ section: Section) -> [Place] {
      guard let elements = section.field("listen")?.elements() else { return [] }
      if elements.isEmpty { section.report("needs at least one address", at: "listen") }
      var places: [Place] = []
      var addresses: [ListenAddress] = []
      for element in elements {
        guard let address = element.value("host:port or unix:/path", ListenAddress.init(_:)) else { continue }
        if let fault = Self.doubling(address, among: addresses) {
          element.report(fault)
        } else {
          addresses.append(address)
          places.append(element.place)
        }
      }
      if !addresses.isEmpty { listen = addresses }
      return places
    }

    /// What is wrong with an address that is among those before it; nil when it is not.
    static func doubling(_ address: ListenAddress, among earlier: some Sequence<ListenAddress>) -> String? {
      guard address.port != 0 || address.isUnixSocket, let other = earlier.first(where: { $0.isSame(as: address) })
      else { return nil }
      return other == address ? "\(address) is listed twice" : "\(address) is listed twice, as \(other) too"
    }

    private static func mode(_ text: String) throws(InvalidText) -> UInt32 {
      guard 3...4 ~= text.utf8.count, let mode = UInt32(text, radix: 8), mode <= 0o777 else {
        throw InvalidText("expected the mode of a file in octal digits, such as \"0660\", not \"\(text)\"")
      }
      return mode
    }

    private static func range(_ text: String) throws(InvalidText) -> AddressRange {
      guard let range = AddressRange(text) else {
        throw InvalidText(
          "\"\(text)\" is no range of addresses; write one address, or those that begin alike, as in 10.0.0.0/8, or unix"
        )
      }
      return range
    }

    /// Reads the name of a host; throws what is wrong with it.
    static func host(_ text: String) throws(InvalidText) -> String {
      let name = (text.hasSuffix(".") ? text.dropLast() : text[...]).lowercased()
      let labels = name.split(separator: ".", omittingEmptySubsequences: false)
      let isName = labels.allSatisfy { label in
        !label.isEmpty && label.utf8.allSatisfy { $0.isUnreserved && $0 != UInt8(ascii: "~") }
      }
      guard isName, name.utf8.count <= 253 else {
        throw InvalidText("\"\(text)\" is no name of a host; write it without scheme and port, such as api.example")
      }
      return name
    }

    private static func prefix(_ field: Field) -> String? {
      // An empty prefix is a value of its own here, quoted or not.
      guard let text = field.isEmptyText ? "" : field.text("a path such as /api") else { return nil }
      if text.isEmpty || text == "/" { return "" }
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.first == "", !parts.dropFirst().contains("") else {
        field.report("a prefix starts with one slash and does not end with one: /\(text.filter { $0 != "/" })")
        return nil
      }
      guard parts.dropFirst().allSatisfy({ $0 != "." && $0 != ".." && $0.utf8.allSatisfy(\.isUnreserved) }) else {
        field.report("the parts of a prefix are letters, digits, \"-\", \".\", \"_\" and \"~\"")
        return nil
      }
      return text
    }
  }

  /// Where proxies say who has asked them. It is one, as a client may send the other, which a proxy that does not know it passes on.
  public enum ProxyHeader: String, CaseIterable, Hashable, Sendable {
    /// `Forwarded` (RFC 7239).
    case forwarded
    /// `X-Forwarded-For`.
    case forwardedFor = "x-forwarded-for"
  }

  /// Bounds on what clients may send and hold: `http.limits`.
  public struct Limits: Sendable, Hashable {
    /// What a server grants its clients, with the server's own defaults.
    public var server = ServerOptions()
    /// Bytes of bodies, calls and answers that are kept at one time, on all threads together (default: 128 MiB).
    public var memory = 128 << 20
    /// The longest reply or event, in bytes, that is turned into JSON on the thread that serves; longer ones are on a thread beside
    /// (default: 128 KiB).
    public var inline = 128 << 10
    /// How many calls one JSON-RPC document may have (default: 100).
    public var batch = 100
    /// Depth and number of elements of arguments and results, with the transcoders' own defaults.
    public var transcoding = TranscodingLimits()

    /// The defaults.
    public init() {}

    fileprivate static let keys = [
      "body", "headers", "target", "memory", "batch", "inline", "connections", "connections-per-address",
      "read-timeout",
      "write-timeout", "idle-timeout", "half-close-grace", "depth", "elements",
    ]

    mutating func read(_ section: Section) {
      section.read("body", into: &server.bodyLimit) { $0.bytes(in: 1...(4 << 30)) }
      section.read("headers", into: &server.headersLimit) { $0.bytes(in: 256...(16 << 20)) }
      section.read("target", into: &server.targetLimit) { $0.bytes(in: 64...(1 << 20)) }
      section.read("memory", into: &memory) { $0.bytes(in: (1 << 20)...(1 << 50)) }
      section.fit("body", &server.bodyLimit, into: self)
      section.read("batch", into: &batch) { $0.integer(in: 1...10_000) }
      section.read("inline", into: &inline) { $0.bytes(in: MemoryBudget.smallest...(1 << 50)) }
      section.read("connections", into: &server.connections) { $0.integer(in: 1...1_000_000) }
      section.read("connections-per-address", into: &server.connectionsPerAddress) { $0.integer(in: 1...1_000_000) }
      section.read("read-timeout", into: &server.readTimeout) { $0.duration(in: .milliseconds(1) ... .hours(1)) }
      section.read("write-timeout", into: &server.writeTimeout) { $0.duration(in: .milliseconds(1) ... .hours(1)) }
      section.read("idle-timeout", into: &server.idleTimeout) { $0.duration(in: .milliseconds(1) ... .hours(1)) }
      section.read("half-close-grace", into: &server.halfCloseGrace) { $0.duration(in: .zero ... .hours(1)) }
      // Python peers stop between 511 and 1024 levels, depending on their msgpack.
      section.read("depth", into: &transcoding.depth) { $0.integer(in: 1...500) }
      section.read("elements", into: &transcoding.elements) { $0.integer(in: 1...100_000_000) }
      section.finish()
    }
  }
}

extension Section {
  /// Holds the limit of one piece that is kept in `http.limits.memory` to half of that: besides it the memory has to hold what is made
  /// of it. One that is written out and longer is a contradiction, since such a piece would always be refused; a default is lowered.
  func fit(_ key: String, _ limit: inout Int, into limits: Configuration.Limits) {
    let most = limits.memory / 2
    guard limit > most else { return }
    if has(key) {
      report(
        "contradiction: \(limit) bytes would never have room, as http.limits.memory is \(limits.memory);"
          + " it may be at most half of that, \(most)", at: key)
    }
    limit = most
  }
}
