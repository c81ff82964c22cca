public import Logging
public import MessagePack
public import ZeroMQ

/// How a service runs. Each limit has a default.
public struct ServiceOptions: Sendable {
  /// After how long a call is answered with `builtins.TimeoutError`, and its method cancelled; nil for never. A method that is not
  /// `async` cannot be cut short, nor can anybody be answered while it runs: its caller gets the result, late. It is counted and logged, a
  /// second after its time while it runs, and when it comes back. Default: nil.
  public var timeout: Duration?
  /// How many methods run at a time; when that many do, further calls wait in libzmq, up to its mark for each client. Default: 1,000.
  ///
  /// Methods that run side by side may overtake each other. With 1 each begins when the one before has ended, so that calls run in the
  /// order in which they came, those without a reply too.
  public var concurrency = 1_000
  /// How long `close()` lets methods run on before it cancels them. Default: one second.
  public var grace: Duration = .seconds(1)
  /// Calls of `rpc.describe` are answered with the names that can be called, their parameters with types and defaults, results and texts.
  /// Only `RPCService` has it. Default: false.
  public var describes = false
  /// Which errors of methods are logged. Default: none.
  public var logs = ExceptionLog.none
  /// Where to. Default: the label `aiozmq.rpc`.
  public var logger = Logger(label: "aiozmq.rpc")
  /// The types that travel as extensions, in arguments, results and the arguments of exceptions: aiozmq's `translation_table`. See
  /// `Translated`. Default: none.
  public var translators: Translators?
  /// How deep and how many the values of a call or a result may be. Default: 500 levels, 1,000,000 values. A call beyond them is answered
  /// with `ParametersError`, a result with `ValueError`.
  public var limits = TranscodingLimits(depth: 500)
  /// Bytes of the longest call, and of the longest result or exception, answered in the same way beyond. Default: 64 MiB. What is more than four
  /// times as long is not received at all: libzmq ends that connection.
  public var longestMessage = 64 << 20
  /// Bytes of arguments of the calls that run; while there are more, further calls wait in libzmq. Default: 256 MiB.
  public var bytesUnderWay = 256 << 20
  /// Replies that wait for one client that does not read. What comes beyond is dropped, counted and logged. Default: 1,000.
  public var waitingReplies = 1_000
  /// Bytes of replies that wait for all clients together. Default: 64 MiB.
  public var waitingReplyBytes = 64 << 20
  /// Maps in results may have keys other than strings and binary, which Python's reader refuses: its caller would wait in vain. Default:
  /// false, and such a result is answered with `TypeError`.
  public var allowsAnyKeys = false
  /// The socket's own options, such as `security`. Default: IPv6 beside IPv4, 200 ms of linger.
  public var socket: SocketOptions

  init() {
    var socket = SocketOptions()
    socket.ipv6 = true
    socket.linger = .milliseconds(200)
    self.socket = socket
  }

  /// The limits that cannot be.
  func check() throws(ServiceError) {
    if concurrency < 1 { throw .badOption("concurrency is \(concurrency): a service needs at least 1 to run anything") }
    if let timeout, timeout <= .zero { throw .badOption("timeout is \(timeout): use nil for none") }
    if longestMessage < 1 || bytesUnderWay < 1 {
      throw .badOption("longestMessage and bytesUnderWay need at least 1 byte")
    }
  }
}
