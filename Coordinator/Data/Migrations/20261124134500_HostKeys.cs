using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace ClusterLlm.Coordinator.Data.Migrations
{
    /// <inheritdoc />
    internal sealed partial class HostKeys : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "HostKeys",
                columns: table => new
                {
                    Host = table.Column<string>(type: "TEXT", nullable: false),
                    Port = table.Column<int>(type: "INTEGER", nullable: false),
                    KeyType = table.Column<string>(type: "TEXT", nullable: false),
                    Fingerprint = table.Column<string>(type: "TEXT", nullable: false),
                    PinnedAtUnixMs = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_HostKeys", x => new { x.Host, x.Port });
                });

            migrationBuilder.CreateTable(
                name: "LinkChoices",
                columns: table => new
                {
                    FromNodeId = table.Column<string>(type: "TEXT", nullable: false),
                    ToNodeId = table.Column<string>(type: "TEXT", nullable: false),
                    Url = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_LinkChoices", x => new { x.FromNodeId, x.ToNodeId });
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "HostKeys");

            migrationBuilder.DropTable(
                name: "LinkChoices");
        }
    }
}
