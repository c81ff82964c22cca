import CZeroMQ
import Glibc

/// The version of this library.
public let version = Version(major: 0, minor: 2, micro: 0)

/// The version of libzmq that the program runs with. It may be another than the one that it was built with.
public var libzmqVersion: Version {
  var (major, minor, micro): (CInt, CInt, CInt) = (0, 0, 0)
  zmq_version(&major, &minor, &micro)
  return Version(major: Int(major), minor: Int(minor), micro: Int(micro))
}

/// A version of a library: `1.2.3`, or `1.2.3a1`, `1.2.3b1` and `1.2.3c1` on the way there. Later ones are greater.
public struct Version: Hashable, Comparable, Sendable, LosslessStringConvertible {
  /// How far a release has come. Later ones are greater.
  public enum Level: Int, Comparable, Sendable {
    /// A first one: `1.2.3a1`.
    case alpha
    /// One to be tried: `1.2.3b1`.
    case beta
    /// One that is released if nobody finds anything: `1.2.3c1`.
    case candidate
    /// The release: `1.2.3`.
    case final

    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }

    fileprivate init?(letter: Substring) {
      switch letter {
      case "": self = .final
      case "a": self = .alpha
      case "b": self = .beta
      case "c": self = .candidate
      default: return nil
      }
    }

    fileprivate var letter: String {
      switch self {
      case .alpha: "a"
      case .beta: "b"
      case .candidate: "c"
      case .final: ""
      }
    }
  }

  /// Changes when programs have to change.
  public let major: Int
  /// Changes when something is added.
  public let minor: Int
  /// Changes when something is mended.
  public let micro: Int
  /// How far the release has come.
  public let level: Level
  /// Counts what comes before the final release; 0 there.
  public let serial: Int

  /// A version from its parts; a final one unless told otherwise.
  public init(major: Int, minor: Int, micro: Int, level: Level = .final, serial: Int = 0) {
    (self.major, self.minor, self.micro, self.level, self.serial) = (major, minor, micro, level, serial)
  }

  /// Reads three numbers with dots, and behind them `a`, `b` or `c` with or without a number of their own; nil for anything else.
  public init?(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let major = Self.number(parts[0]), let minor = Self.number(parts[1]) else { return nil }
    let digits = parts[2].prefix(while: Self.isDigit)
    let rest = parts[2][digits.endIndex...]
    let letter = rest.prefix { !Self.isDigit($0) }
    let serial = rest[letter.endIndex...]
    guard let micro = Self.number(digits), let level = Level(letter: letter) else { return nil }
    guard let number = serial.isEmpty ? 0 : Self.number(serial), level != .final || serial.isEmpty else { return nil }
    self.init(major: major, minor: minor, micro: micro, level: level, serial: number)
  }

  public var description: String {
    "\(major).\(minor).\(micro)" + (level == .final ? "" : "\(level.letter)\(serial)")
  }

  public static func < (a: Version, b: Version) -> Bool {
    (a.major, a.minor, a.micro, a.level, a.serial) < (b.major, b.minor, b.micro, b.level, b.serial)
  }

  private static func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }

  private static func number(_ text: Substring) -> Int? { text.allSatisfy(isDigit) ? Int(text) : nil }
}

extension Version {
  /// The oldest libzmq that this library works with: older ones lack what it relies on, such as the events of handshakes.
  public static let oldestLibzmq = Version(major: 4, minor: 3, micro: 0)

  /// Throws when the libzmq that was found is too old.
  static func requireUsable(_ found: Version = libzmqVersion) throws(ZMQError) {
    guard found < oldestLibzmq else { return }
    throw ZMQError(
      code: .notSupported,
      call: "a context of libzmq \(found): version \(oldestLibzmq) or newer is needed, install that")
  }
}
