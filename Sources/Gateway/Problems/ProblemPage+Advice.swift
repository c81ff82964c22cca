extension ProblemPage {
  /// What a code means, and what a caller does about it.
  struct Advice {
    let meaning: String
    let remedy: String

    init(_ meaning: String, _ remedy: String) {
      self.meaning = meaning
      self.remedy = remedy
    }
  }

  private static let resend = "Send the same request again after the seconds in `Retry-After`."

  static let advice: [ProblemCode: Advice] = [
    .badJSON: .init(
      "The body is not JSON, not UTF-8, or an object in it has a member twice.", "Mend the body; `detail` says where."),
    .badMessagePack: .init(
      "The body is not one well-formed MessagePack value.", "Mend the body; `detail` says where it breaks."),
    .badShape: .init(
      "Arguments are an array (positional), an object (keyword), or an object of `args` and `kwargs`.",
      "Wrap the value: `[value]` passes it as the only argument."),
    .invalidArgument: .init(
      "Arguments are missing, too many, or named differently from what the method takes.",
      "Compare the call with the method's signature; `exception` says which argument."),
    .notEncodable: .init(
      "A value in the arguments cannot travel: an integer beyond 64 bits, an ext type, or too deep a nesting.",
      "Change the value at `pointer`, a JSON pointer into the body."),
    .unsupportedMediaType: .init(
      "Bodies are JSON. A form, curl's default, is read as JSON unless a web page sent it.",
      "Set `Content-Type: application/json`."),
    .unsupportedEncoding: .init("The body is compressed in a way not read here.", "Send it without Content-Encoding."),
    .notAcceptable: .init("`Accept` rules out all that can be answered.", "Accept `application/json`."),
    .bodyTooLarge: .init("The body exceeds the gateway's limit.", "Send less, or raise `http.limits.body`."),
    .uriTooLong: .init("The request target exceeds the gateway's limit.", "Send arguments in the body of a POST."),
    .headersTooLarge: .init("The headers exceed the gateway's limit.", "Send fewer or shorter headers."),
    .requestTimeout: .init("The request did not arrive in full in time.", "Send it again, faster."),
    .noSuchService: .init("The gateway serves no service of this name.", "Check the name in the path."),
    .notExposed: .init(
      "The gateway does not pass on calls of this method.", "Check the name; the operator decides what is exposed."),
    .methodNotAllowed: .init("The path does not take this verb.", "Use one of `Allow`."),
    .notSafe: .init("Only methods declared safe are called with GET.", "Use POST."),
    .unauthenticated: .init("No credentials, or wrong ones.", "Send the credentials `WWW-Authenticate` asks for."),
    .permissionDenied: .init("These credentials do not reach this.", "Use others, or ask the operator."),
    .rateLimited: .init("More requests than this client may send.", resend),
    .tooManyStreams: .init("More open streams than this client may have.", "Close one first. " + resend),
    .tooManyTopics: .init(
      "The streams of the service together ask for as many different topics as it allows.",
      "Ask for fewer, or for a prefix that covers them, or raise `topics-limit`. " + resend),
    .overloaded: .init("As many calls are in flight as the service allows.", resend),
    .noBackend: .init("No backend of this service is connected at present.", resend),
    .queueFull: .init("No connected backend takes more calls at present.", resend),
    .queueTimeout: .init("No backend took the call before its deadline.", resend),
    .breakerOpen: .init("The backend failed repeatedly and is left alone for a while.", resend),
    .draining: .init("The gateway is stopping.", resend + " Another gateway will answer."),
    .timeout: .init(
      "The call was sent and no reply came before the deadline.",
      "Allow more time with `Request-Timeout`, in seconds, if the method is slow."),
    .backendLost: .init(
      "The backend's connection broke while the call was with it.", "See whether the call took effect, then decide."),
    .badReply: .init("What the backend answered is no reply.", "Look at the backend: it does not speak the protocol."),
    .replyTooLarge: .init("The reply exceeds the service's limit.", "Ask for less, or raise `reply-limit`."),
    .replyNotRepresentable: .init(
      "The result holds something JSON has no form for.", "Ask for `application/msgpack`, or change the json options."),
    .misdirected: .init("The `Host` header names a host not served here.", "Use a host name that is."),
    .internal: .init("The gateway did something it should not.", "Report it, with `requestId`."),
    .remoteException: .init(
      "The method raised an exception; `exception` holds as much of it as the operator lets out.",
      "As the exception demands. The status follows its class."),
    .noSuchMethod: .init("The backend answered that it has no method of this name.", "Check the name in the path."),
    .nestedCall: .init(
      "The method called another service, and that call failed in a way of its own.",
      "Look at the service behind the service."),
    .noSuchRoute: .init("Nothing is served at this path.", "Calls go to `/rpc/{service}/{method}`."),
    .noSuchTopic: .init("The topic is outside what the service offers.", "Ask for a topic the operator lists."),
    .badRequest: .init(
      "The request breaks the grammar of HTTP, or two readers could take it for two different requests.",
      "Mend the client or the proxy before the gateway; `detail` says what is wrong."),
    .notImplemented: .init("Bodies come with a length, or chunked.", "Use no other Transfer-Encoding."),
    .unsupportedVersion: .init("Only HTTP/1.0 and HTTP/1.1 are spoken here.", "Use HTTP/1.1."),
    .badTarget: .init(
      "The path or query holds bytes that must be escaped, a broken escape, or a dot segment.",
      "PercentEncoding-encode each path segment by itself."),
    .badQuery: .init(
      "A query is `name=text`, `name:=json`, `arg=text` or `arg:=json`, each keyword once.", "Mend the query."),
    .unknownParameter: .init(
      "Parameters that start with `_` steer the gateway, and this one is not among them.",
      "Check its spelling; arguments of a method do not start with `_`."),
    .badTimeout: .init("A timeout is a number of seconds above zero.", "Write it like `2.5`, without a unit."),
  ]
}
