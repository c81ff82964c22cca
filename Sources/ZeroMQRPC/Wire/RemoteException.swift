public import MessagePack

/// An exception as it travels: aiozmq's `[dotted class name, args, repr]`.
///
/// A method of a service throws one to answer exactly that; a client reads one out of the reply to a call that raised.
public struct RemoteException: Error, Hashable, Sendable, CustomStringConvertible {
  /// The dotted name of the class, such as `builtins.ValueError`.
  public let name: String
  /// What the exception was made with: one packed array.
  public let arguments: [UInt8]
  /// The text that Python's `repr` gives; nil from aiozmq before 0.2, which sent none.
  public let repr: String?

  public var description: String { repr ?? name }
}

extension RemoteException {
  /// Reads the body of an exception reply, without trust. Throws `badMessagePack` for what is no exception of aiozmq, and
  /// `tooManyElements`; how deep its arguments are is not looked at.
  public init(_ body: UnsafeRawBufferPointer, limits: TranscodingLimits = .init()) throws(TranscodingError) {
    var cursor = Cursor(body, limits: limits)
    guard case .array(let count) = try cursor.next(), count == 2 || count == 3,
      case .string(let name) = try cursor.next()
    else { throw Self.malformed }
    let start = cursor.offset
    try cursor.skipValue()
    let arguments = body[start..<cursor.offset]
    var repr: String?
    if count == 3 {
      guard case .string(let text) = try cursor.next() else { throw Self.malformed }
      repr = String(decoding: text, as: UTF8.self)
    }
    guard cursor.isAtEnd else { throw Self.malformed }
    self.init(name: String(decoding: name, as: UTF8.self), arguments: Array(arguments), repr: repr)
  }

  /// The first argument when it is a string: of a `NotFoundError` the method, of a `GenericError` the class of the exception
  /// inside.
  public var firstArgument: String? { firstArguments.0 }

  /// The first argument of the exception inside a relayed `GenericError(name, args, repr)`, when it is a string.
  public var innerArgument: String? { firstArguments.1 }

  private var firstArguments: (String?, String?) {
    arguments.withUnsafeBytes { bytes in
      // What cannot be read here is not the string that is looked for.
      var cursor = Cursor(bytes)
      guard case .array? = try? cursor.next(), case .string(let first)? = try? cursor.next() else { return (nil, nil) }
      let name = String(decoding: first, as: UTF8.self)
      guard case .array(1...)? = try? cursor.next(), case .string(let inner)? = try? cursor.next() else {
        return (name, nil)
      }
      return (name, String(decoding: inner, as: UTF8.self))
    }
  }

  private static let malformed = TranscodingError(
    code: .badMessagePack, message: "The reply is not the exception of an aiozmq service.", offset: 0)
}

extension RemoteException {
  /// An exception to throw; the repr is made from the other two unless it is given.
  ///
  /// Arguments that cannot be packed make it a `TypeError` that says why, as a result does that cannot be packed.
  public init(_ name: String, _ arguments: [Value], repr: String? = nil) {
    do throws(TranscodingError) {
      let packed = try Packer(limits: .init(depth: 500)).pack(.array(arguments))
      let class_ = name.split(separator: ".").last.map(String.init) ?? name
      let text = "\(class_)(\(arguments.map(\.pythonRepr).joined(separator: ", ")))"
      self.init(name: name, arguments: packed, repr: repr ?? text)
    } catch {
      self = .type(error.message)
    }
  }

  /// An exception to throw out of a method, made with anything that can travel, `Translated` types too; else as above.
  public init(_ name: String, arguments: [(any ValueEncodable)?], repr: String? = nil) {
    do throws(ConversionError) {
      var values: [Value] = []
      for argument in arguments { values.append(try argument?.asValue() ?? .nil) }
      self.init(name, values, repr: repr)
    } catch {
      self = .type(error.description)
    }
  }

  /// The body of an exception reply.
  var body: [UInt8] {
    var body = ByteBuffer()
    body.appendArrayHeader(repr == nil ? 2 : 3)
    body.appendString(name)
    arguments.withUnsafeBytes { body.append($0) }
    if let repr { body.appendString(repr) }
    return body.withUnsafeBytes { Array($0) }
  }
}
