using System.Security.Cryptography;
using System.Text;
using ClusterLlm.ServiceDefaults.Security;

namespace ClusterLlm.Coordinator.Security;

/// <summary>Keys of the HTTP API as text: <c>cllm_ID_SECRET</c>.</summary>
internal static class ApiKeyText
{
    private const string Prefix = "cllm";
    private const int IdBytes = 5;
    private const int SecretBytes = 20;
    private const int LongestText = 128;

    public static (string Id, string Text) Create()
    {
        var id = Base32.Encode(RandomNumberGenerator.GetBytes(IdBytes));
        return (id, $"{Prefix}_{id}_{Base32.Encode(RandomNumberGenerator.GetBytes(SecretBytes))}");
    }

    /// <summary>The id in a key; <see langword="null"/> when the text can't be one.</summary>
    public static string? IdOf(string text) =>
        text.Length <= LongestText && text.Split('_') is [Prefix, { Length: > 0 } id, { Length: > 0 }] ? id : null;

    /// <summary>160 random bits can't be guessed from their hash: a slow one would only slow down every request.</summary>
    public static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>Compares in a time that does not depend on where they differ.</summary>
    public static bool Fits(string text, string hash) =>
        CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Hash(text)), Encoding.ASCII.GetBytes(hash));
}
