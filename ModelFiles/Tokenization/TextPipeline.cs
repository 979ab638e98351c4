namespace ClusterLlm.ModelFiles;

/// <summary>What happens to text before it is merged.</summary>
/// <param name="FirstSplitter">For the part that begins the text.</param>
/// <param name="Splitter">For the parts after an added token.</param>
/// <param name="IsByteLevel">Words are merged as bytes, not as characters.</param>
internal sealed record TextPipeline(TextNormalizer Normalizer, ITextSplitter FirstSplitter, ITextSplitter Splitter, bool IsByteLevel);
