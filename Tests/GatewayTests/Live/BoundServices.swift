import Support
import Testing
import ZeroMQ

/// Two services whose peers connect to the gateway, in front of two threads. The first one's socket is on the first thread and the second's
/// on the second, so of two calls on one connection one crosses from thread to thread.
enum BoundServices {
  static let names = ["s", "t"]

  static func rpc(_ rig: Rig, _ more: String = "") -> String {
    names.map { name in
      "\(name):\n  pattern: rpc\n  bind: [\"\(rig.directory.endpoint(name))\"]\n" + more.indented(by: 2)
    }.joined(separator: "\n")
  }

  /// A gateway, and for each service a backend that the test plays, connected.
  static func backends(_ rig: Rig, _ more: String = "") async throws -> (LiveGateway, [WireSocket]) {
    let gateway = try await rig.gateway(rpc(rig, more))
    var sockets: [WireSocket] = []
    for name in names { sockets.append(try await rig.dial(.router, name)) }
    try await gateway.allHaveDialled()
    return (gateway, sockets)
  }
}

extension Rig {
  /// A peer that the test plays and that connects to what the gateway has bound under that name.
  func dial(_ kind: SocketKind, _ name: String) async throws -> WireSocket {
    let socket = try await WireSocket(kind, connect: directory.endpoint(name))
    cleanup.add { await socket.close() }
    return socket
  }
}

extension LiveGateway {
  func allHaveDialled() async throws {
    try await eventually("all have dialled in") { try await http.get("/ready").status == 200 }
  }
}
