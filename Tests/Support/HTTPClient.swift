/// Asks a server on this machine over HTTP/1.1, each request on a connection of its own.
public struct HTTPClient: Sendable {
  public let port: UInt16

  public init(port: UInt16) { self.port = port }

  /// Sends JSON text as the arguments of a call.
  public func post(
    _ target: String, _ body: String = "", headers: [String: String] = [:]
  ) async throws -> HTTPReply {
    var headers = headers
    if headers["Content-Type"] == nil { headers["Content-Type"] = "application/json" }
    return try await send("POST", target, headers: headers, body: Array(body.utf8))
  }

  public func get(_ target: String, headers: [String: String] = [:]) async throws -> HTTPReply {
    try await send("GET", target, headers: headers)
  }

  /// Sends any request and waits for its answer.
  public func send(
    _ method: String, _ target: String, headers: [String: String] = [:], body: [UInt8]? = nil
  ) async throws -> HTTPReply {
    try await offThread {
      let connection = try HTTPConnection(port: port)
      defer { connection.disconnect() }
      connection.send(method, target, headers: headers, body: body)
      return try connection.reply(isHead: method == "HEAD")
    }
  }

  /// A connection of its own with a request on it whose answer is not read yet.
  public func begin(
    _ method: String, _ target: String, headers: [String: String] = [:], body: String? = nil
  ) throws -> HTTPConnection {
    let connection = try HTTPConnection(port: port)
    connection.send(method, target, headers: headers, body: body.map { Array($0.utf8) })
    return connection
  }

  /// Opens a stream of server-sent events.
  public func events(
    _ target: String, headers: [String: String] = [:], receiveBuffer: CInt? = nil
  ) async throws -> EventReader {
    try await offThread {
      let connection = try HTTPConnection(port: port, receiveBuffer: receiveBuffer)
      connection.send("GET", target, headers: headers)
      return EventReader(try connection.head(), connection)
    }
  }
}
