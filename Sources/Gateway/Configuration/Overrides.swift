public import ConfigurationReader
public import HTTPServer

/// Settings that beat the file: the flags of a command, or variables of the environment.
public struct Overrides: Sendable, Hashable {
  /// Addresses to listen on instead of the file's.
  public var listen: [ListenAddress]?
  /// Where operations are served instead of the file's address.
  public var admin: ListenAddress?
  /// Shards, 0...256, instead of the file's number.
  public var threads: Int?

  /// Names of hosts to serve instead of the file's, in small letters.
  public var hosts: [String]?

  /// Overrides nothing by default.
  public init(listen: [ListenAddress]? = nil, threads: Int? = nil, hosts: [String]? = nil) {
    self.listen = listen
    self.threads = threads
    self.hosts = hosts
  }

  /// Reads `ZMQ_GATEWAY_HTTP_LISTEN` and `ZMQ_GATEWAY_HTTP_HOSTS`, separated by commas, and `ZMQ_GATEWAY_HTTP_THREADS`.
  public init(environment: [String: String]) throws(ConfigurationErrors) {
    let diagnostics = Diagnostics(file: "environment", environment: environment)
    self.init(environment: environment, diagnostics)
    try diagnostics.finish()
  }

  init(environment: [String: String], _ diagnostics: Diagnostics) {
    func list<Value, Failure: Error & CustomStringConvertible>(
      _ variable: String, _ parse: (String) throws(Failure) -> Value
    ) -> [Value]? {
      guard let text = environment[variable], !text.isEmpty else { return nil }
      var values: [Value] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        do throws(Failure) {
          values.append(try parse(String(part.trimming(while: { $0 == " " }))))
        } catch {
          diagnostics.report(.outside, variable, error.description)
        }
      }
      // Without a good value the file's stand, so that they are checked too.
      return values.isEmpty ? nil : values
    }
    listen = list(Self.listenVariable, ListenAddress.init(_:))
    hosts = list(Self.hostsVariable, Configuration.HTTP.host)
    if let text = environment[Self.threadsVariable], !text.isEmpty {
      if let threads = Int(text), Configuration.HTTP.threadRange.contains(threads) {
        self.threads = threads
      } else {
        diagnostics.report(.outside, Self.threadsVariable, "\"\(text)\" is no whole number between 0 and 256")
      }
    }
  }

  private static let listenVariable = "ZMQ_GATEWAY_HTTP_LISTEN"
  private static let hostsVariable = "ZMQ_GATEWAY_HTTP_HOSTS"
  private static let threadsVariable = "ZMQ_GATEWAY_HTTP_THREADS"
}

extension Configuration {
  /// This configuration with `overrides` in place; throws when the two do not go together.
  public func applying(_ overrides: Overrides) throws(ConfigurationErrors) -> Configuration {
    let merged = merging(overrides)
    try merged.check(as: "overrides")
    return merged
  }

  func merging(_ overrides: Overrides) -> Configuration {
    var merged = self
    if let listen = overrides.listen { merged.http.listen = listen }
    if let admin = overrides.admin { merged.http.admin = admin }
    if let threads = overrides.threads { merged.http.threads = threads }
    if let hosts = overrides.hosts { merged.http.hosts = hosts }
    return merged
  }
}

extension Substring {
  fileprivate func trimming(while predicate: (Character) -> Bool) -> Substring {
    var rest = drop(while: predicate)
    while let last = rest.last, predicate(last) { rest.removeLast() }
    return rest
  }
}
