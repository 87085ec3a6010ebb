/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sonm-vs: adds, edits, lists and removes virtual services; makes the kernel match the state file. */
#include "vs.h"

int vs_run(struct err *e, const struct config *c, const struct cmd_line *line)
{
	switch (line->command->id) {
	case 'A':
		return vs_add(e, c, line);
	case 'E':
		return vs_edit(e, c, line);
	case 'D':
		return vs_delete(e, c, line);
	case 'C':
		return vs_clear(e, c, line);
	case 'L':
		return cmd_has(line, OPT_WORKERS) ? vs_list_workers(e, c, line) : vs_list(e, c, line);
	case 'S':
		return vs_save(e, c, line);
	case 'R':
		return vs_restore(e, c, line);
	case CMD_SYNC:
		return vs_sync(e, c, line);
	case CMD_SET_WORKER:
		return vs_set_worker(e, c, line);
	case CMD_DELETE_WORKER:
		return vs_delete_worker(e, c, line);
	case CMD_VALUES:
		return vs_print_values(e, c, line);
	default:
		return vs_shell(e, c, line);
	}
}

int main(int argc, char **argv)
{
	CLEANUP(cmd_line_free) struct cmd_line line = { 0 };
	struct config c;
	struct err e;
	int status = tool_start(&vs_table, argc, argv, &line);

	if (status >= 0)
		return status;
	status = tool_config(&e, &line, &c);
	if (status == 0)
		status = vs_run(&e, &c, &line);
	return tool_end(vs_table.prog, status < 0 ? tool_fail(vs_table.prog, &e) : status);
}
