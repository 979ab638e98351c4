using System.Text;

namespace ClusterLlm.ModelFiles;

/// <summary>Turns tokens into text as they come. A character whose bytes are spread over tokens comes with its last byte. Not thread safe.</summary>
public sealed class TokenTextDecoder
{
    private readonly ModelTokenizer _tokenizer;
    private readonly bool _skipSpecialTokens;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private string? _stripStart;

    internal TokenTextDecoder(ModelTokenizer tokenizer, bool skipSpecialTokens, string? stripStart)
    {
        _tokenizer = tokenizer;
        _skipSpecialTokens = skipSpecialTokens;
        _stripStart = stripStart;
    }

    /// <summary>The text that this token completes; often empty, never half a character.</summary>
    public string Append(int id) =>
        _skipSpecialTokens && _tokenizer.IsSpecial(id) ? "" : Convert(_tokenizer.TokenBytes(id), flush: false);

    /// <summary>What is held back: U+FFFD when the last character never was completed.</summary>
    public string Finish() => Convert([], flush: true);

    private string Convert(byte[] bytes, bool flush)
    {
        var characters = new char[_decoder.GetCharCount(bytes, 0, bytes.Length, flush)];
        var count = _decoder.GetChars(bytes, 0, bytes.Length, characters, 0, flush);
        var text = new string(characters, 0, count);
        if (_stripStart is not { } strip || text.Length == 0)
        {
            return text;
        }

        _stripStart = null;
        return text.StartsWith(strip, StringComparison.Ordinal) ? text[strip.Length..] : text;
    }
}
