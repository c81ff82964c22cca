public import MessagePack

/// What a call throws when the service has answered with an exception.
///
/// ```swift
/// do { let _: Value = try await client.call.find("x") }
/// catch let error as RemoteError where error.isA("LookupError") {}
/// ```
public typealias RemoteError = RemoteException

extension RemoteException {
  /// Whether its class is that one, or a subclass of it. Python's own hierarchy and aiozmq's are known, and may be named without their
  /// modules: a `builtins.KeyError` is a `LookupError`, an `aiozmq.rpc.base.NotFoundError` too. Of other classes only the name is known,
  /// and that they are an `Exception`: the `TimeoutError` of a service in Swift, which comes without a module, is none of Python's.
  public func isA(_ class_: String) -> Bool { PythonClasses.isSubclass(name, of: class_) }

  /// What the exception was made with, unpacked each time, and taken apart as Python's `*` does; empty when it cannot be.
  public var args: [Value] { (try? Unpacker(limits: .init(depth: 500)).unpack(arguments))?.pythonMembers ?? [] }
}
