public import ConfigurationReader
public import HTTPServer

/// Settings that beat the file: the flags of a command, or variables of the environment.
public struct Overrides: Sendable, Hashable {
  /// Addresses to listen on instead of the file's.
  public var listen: [ListenAddress]?
  /// Shards, 0...256, instead of the file's number.
  public var threads: Int?

  /// Overrides nothing by default.
  public init(listen: [ListenAddress]? = nil, threads: Int? = nil) {
    self.listen = listen
    self.threads = threads
  }

  /// Reads `ZMQ_GATEWAY_HTTP_LISTEN`, separated by commas, and `ZMQ_GATEWAY_HTTP_THREADS`.
  public init(environment: [String: String]) throws(ConfigurationErrors) {
    let diagnostics = Diagnostics(file: "environment", environment: environment)
    self.init(environment: environment, diagnostics)
    try diagnostics.finish()
  }

  init(environment: [String: String], _ diagnostics: Diagnostics) {
    if let text = environment[Self.listenVariable], !text.isEmpty {
      var listen: [ListenAddress] = []
      for part in text.split(separator: ",", omittingEmptySubsequences: false) {
        do throws(ListenAddress.Invalid) {
          listen.append(try .init(String(part.trimming(while: { $0 == " " }))))
        } catch {
          diagnostics.report(.outside, Self.listenVariable, error.description)
        }
      }
      // Without a good address the file's stand, so that they are checked too.
      if !listen.isEmpty { self.listen = listen }
    }
    if let text = environment[Self.threadsVariable], !text.isEmpty {
      if let threads = Int(text), Configuration.HTTP.threadRange.contains(threads) {
        self.threads = threads
      } else {
        diagnostics.report(.outside, Self.threadsVariable, "\"\(text)\" is no whole number between 0 and 256")
      }
    }
  }

  private static let listenVariable = "ZMQ_GATEWAY_HTTP_LISTEN"
  private static let threadsVariable = "ZMQ_GATEWAY_HTTP_THREADS"
}

extension Configuration {
  /// This configuration with `overrides` in place; throws when the two do not go together.
  public func applying(_ overrides: Overrides) throws(ConfigurationErrors) -> Configuration {
    let merged = merging(overrides)
    let diagnostics = Diagnostics(file: "overrides", environment: [:])
    merged.check(listening: [], diagnostics)
    try diagnostics.finish()
    return merged
  }

  func merging(_ overrides: Overrides) -> Configuration {
    var merged = self
    if let listen = overrides.listen { merged.http.listen = listen }
    if let threads = overrides.threads { merged.http.threads = threads }
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
