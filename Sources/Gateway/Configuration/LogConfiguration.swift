import ConfigurationReader
public import Logging
import Reactor

extension Configuration {
  /// What goes to standard error: `log`.
  public struct Log: Sendable, Hashable {
    /// How lines are written.
    public enum Format: String, Sendable, Hashable, CaseIterable {
      /// As text, or as objects of JSON.
      case text, json
    }

    /// How lines are written (default: as text).
    public var format = Format.text
    /// From which level on events are told; nil: what the environment says, else `info` (default).
    public var level: Logger.Level?
    /// Whether each request that has ended has a line (default: false).
    public var access = false
    /// How long a request takes that has a line in any case, which is a warning; nil: none has (default).
    public var slow: Duration?
    /// Bytes of such lines that wait to be written; what is beyond is dropped, and told of (default: 1 MiB).
    public var buffer = 1 << 20

    /// The defaults.
    public init() {}

    mutating func read(_ section: Section) {
      section.read("format", into: &format) { $0.choice() }
      section.read("level", into: &level) { $0.choice(meant: ["warn": .warning, "fatal": .critical]) }
      section.read("access", into: &access) { $0.boolean() }
      section.read("slow", into: &slow) { $0.duration(in: .milliseconds(1) ... .hours(1)) }
      section.read("buffer", into: &buffer) { $0.bytes(in: (64 << 10)...(1 << 30)) }
      section.finish()
    }
  }
}
