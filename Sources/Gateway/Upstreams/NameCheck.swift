import Glibc
import Reactor
import ZeroMQ

/// A look whether the hosts that a configuration names have addresses, without connecting to any: what `check` warns of.
public struct NameCheck: Sendable {
  /// How long a lookup may take. A slow name server is no fault of the configuration.
  private static let patience = Duration.seconds(2)
  private let endpoints: [(service: String, endpoint: Endpoint, host: String)]

  /// A check of all that the services connect to.
  public init(_ configuration: Configuration) {
    endpoints = configuration.services.flatMap { service in
      service.directions.flatMap(\.connect).compactMap { endpoint in
        endpoint.hostName.map { (service.name, endpoint, $0) }
      }
    }
  }

  /// Looks all names up at once, and returns a sentence for each endpoint whose host has no address, in the order of the configuration.
  /// Waits two seconds at most.
  public func run() async -> [String] {
    let hosts = Set(endpoints.map(\.host))
    let faults = await withTaskGroup(of: (String, String?).self) { group in
      for host in hosts { group.addTask { (host, await Self.fault(host)) } }
      return await group.reduce(into: [String: String]()) { $0[$1.0] = $1.1 }
    }
    return endpoints.compactMap { service, endpoint, host in
      faults[host].map { "services.\(service): the host of \(endpoint) has no address here (\($0))" }
    }
  }

  /// Why a name has no address; nil when it has one, or when that is not known in time.
  private static func fault(_ host: String) async -> String? {
    let answer = Guarded<CheckedContinuation<String?, Never>?>(nil)
    @Sendable func tell(_ fault: String?) { answer.withLock { $0.take() }?.resume(returning: fault) }
    let timer = Task {
      try? await Task.sleep(for: patience)
      tell(nil)
    }
    defer { timer.cancel() }
    return await withCheckedContinuation { continuation in
      answer.withLock { $0 = continuation }
      do throws(ReactorError) {
        try startThread(name: "lookup") { tell(lookUp(host)) }
      } catch {
        tell(nil)
      }
    }
  }

  private static func lookUp(_ host: String) -> String? {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, nil, &hints, &first)
    if let first { freeaddrinfo(first) }
    return status == 0 ? nil : String(cString: gai_strerror(status))
  }
}
