import ConfigurationReader
import HTTPServer
import ZeroMQ
import ZeroMQRPC

/// An endpoint that a service of the file binds, and where that stands. Two that are in each other's way cannot both be bound.
struct BoundEndpoint {
  let service: String
  let endpoint: Endpoint
  /// The one whose `bind` names it.
  let section: Section

  /// Whether the other one is in the way. Of one that a `bind` lists twice it was told where that is read.
  private func excludes(_ other: BoundEndpoint) -> Bool {
    endpoint.excludes(other.endpoint) && !(section === other.section && endpoint.isSame(as: other.endpoint))
  }

  /// Reports those that another one before it, or an address to listen on, is in the way of.
  static func check(_ all: [BoundEndpoint], listening: [ListenAddress]) {
    for (index, one) in all.enumerated() {
      let place = if case .ipc = one.endpoint.address { "path" } else { "port" }
      let other =
        if let other = all[..<index].first(where: { $0.excludes(one) }) {
          "\(other.endpoint) of service \"\(other.service)\""
        } else {
          listening.first { one.endpoint.excludes($0) }.map { "http.listen, which has \($0)" }
        }
      guard let other else { continue }
      one.section.report(
        "contradiction: \(one.endpoint) cannot be bound beside \(other); give one of the two another \(place)",
        at: "bind")
    }
  }
}

extension Configuration.Service {
  /// The endpoints that this service binds, which is read from that section.
  func boundEndpoints(in section: Section) -> [BoundEndpoint] {
    directions.filter { !$0.bind.isEmpty }.flatMap { direction -> [BoundEndpoint] in
      let inner =
        switch direction.role {
        case .rpc, .pipeline: section
        case .publish: section.section("publish") ?? section
        case .subscribe: section.section("subscribe") ?? section
        }
      return direction.bind.map { BoundEndpoint(service: name, endpoint: $0, section: inner) }
    }
  }
}

extension Endpoint {
  /// Whether only one of the two can be bound at one time. Names of hosts are not looked up.
  fileprivate func excludes(_ other: Endpoint) -> Bool {
    switch (inNumbers.address, other.inNumbers.address) {
    case (.ipc("*"), _): false
    case (.ipc(let path), .ipc(let otherPath)): path == otherPath
    case (.tcp(let host, let port), .tcp(let otherHost, let otherPort)):
      port == otherPort && port != 0 && Self.overlap(host, otherHost)
    default: false
    }
  }

  /// The same with an address that HTTP is served at.
  fileprivate func excludes(_ address: ListenAddress) -> Bool {
    let isLocal = address.host.lowercased() == "localhost"
    guard case .tcp(let host, let port) = inNumbers.address, port == address.port, port != 0,
      let other = try? Endpoint("tcp://\(isLocal ? "127.0.0.1:\(address.port)" : "\(address)")"),
      case .tcp(let otherHost, _) = other.inNumbers.address
    else { return false }
    // HTTP listens for IPv6 alone at [::], and libzmq for IPv4 too.
    return Self.overlap(host, otherHost, isOtherSingle: true)
  }

  private static func overlap(_ host: String, _ other: String, isOtherSingle: Bool = false) -> Bool {
    host.lowercased() == other.lowercased() || covers(host, other) || covers(other, host, isSingle: isOtherSingle)
  }

  /// Whether a host to bind stands for all addresses, the other one among them.
  private static func covers(_ host: String, _ other: String, isSingle: Bool = false) -> Bool {
    switch host {
    case "*": true
    case "::": !isSingle || other.contains(":")
    case "0.0.0.0": other.allSatisfy { $0.isNumber || $0 == "." }
    default: false
    }
  }
}
