import MessagePack

/// Makes the argument of a parameter of the value that is given for it, or of none.
final class ArgumentTaker<Argument: Sendable>: Sendable {
  /// Throws `ParametersError` when the value does not convert.
  let take: @Sendable (Value?) throws(RemoteException) -> Argument

  init(_ name: String, _ fallback: Argument?, _ conversion: Conversion<Argument>) {
    // Apart: a closure that keeps something of a type that it has to look up does so each time it is called.
    let none: @Sendable () throws(RemoteException) -> Argument = { () throws(RemoteException) in
      if let fallback { return fallback }
      throw .parameters("missing a required argument: \(PythonRepr.of(name))")
    }
    let convert = conversion.convert
    take = { value throws(RemoteException) in
      guard let value else { return try none() }
      do { return try convert(value) } catch { throw .invalid(name, error) }
    }
  }
}

/// Those of all parameters of a method, in their order. A closure that kept them as a pack would look their types up anew for each call,
/// which takes longer than all else that it does.
struct ArgumentTakers: Sendable {
  private let takers: [any AnyObject & Sendable]

  init<each Argument: Sendable>(_ parameters: repeat Parameter<each Argument>) {
    var takers: [any AnyObject & Sendable] = []
    repeat takers.append((each parameters).taker)
    self.takers = takers
  }

  /// The next argument, which has the type of the next parameter.
  func next<Argument: Sendable>(
    _ type: Argument.Type, of arguments: inout BoundArguments
  ) throws(RemoteException) -> Argument {
    // Safe: who asks goes through the types of the pack that these were made of, in its order.
    let taker = unsafeDowncast(takers[arguments.index], to: ArgumentTaker<Argument>.self)
    return try taker.take(arguments.next())
  }
}
