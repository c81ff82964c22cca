/// What the names in a target say that is wanted, whether it is there or not.
enum NamedTarget {
  /// Nothing of a service.
  case nothing
  /// These, one of which must be allowed; else that is answered.
  case wishes([Wish], else: Problem)
  /// A stream of the topics in the query, which stands there in the target.
  case stream(String, query: Range<Int>)
  /// The last event of the topic in the query.
  case lastEvent(String, query: Range<Int>)
  /// The calls of a document of JSON-RPC.
  case document(String)
  /// The items of a batch.
  case batch
  /// What a ticket is asked for.
  case ticket
}
