/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Steps as JSON. The names are an interface: sonm-gw-setup(8). */
#include "setup.h"

static const char *status_name(enum step_status status)
{
	return status == STEP_UNKNOWN ? "cannot_tell" : setup_status_text(status);
}

static const char *outcome_name(enum step_outcome outcome)
{
	static const char *const names[] = {
		[STEP_LEFT] = "left",
		[STEP_CHANGED] = "changed",
		[STEP_SKIPPED] = "skipped",
		[STEP_FAILED] = "failed",
		[STEP_NOT_REACHED] = "not_reached",
	};

	return names[outcome];
}

static const char *or_null(const char *text)
{
	return text[0] ? text : NULL;
}

void setup_begin_json(struct setup *s)
{
	if (s->json_begun)
		return;
	s->json_begun = true;
	json_begin_object(s->json, NULL);
	json_bool(s->json, "gateway", s->config.is_gateway);
	json_begin_array(s->json, "steps");
}

static void write_texts(struct json *j, const struct step_report *r)
{
	json_string(j, "detail", or_null(r->detail));
	json_string(j, "manual", or_null(r->manual));
	json_string(j, "undo", or_null(r->undo));
}

void setup_write_step(struct setup *s, const struct step_report *r)
{
	bool known = r->outcome != STEP_NOT_REACHED || r->status != STEP_UNKNOWN; /* looked at */
	struct json *j = s->json;

	setup_begin_json(s);
	json_begin_object(j, NULL);
	json_string(j, "name", r->name);
	if (s->command != SETUP_UNDO)
		json_string(j, "status", known ? status_name(r->status) : NULL);
	json_string(j, "outcome", outcome_name(r->outcome));
	json_string(j, "present", known ? r->present : NULL);
	json_string(j, "wanted", known ? r->wanted : NULL);
	json_string(j, "note", or_null(r->note));
	json_bool(j, "changed", r->outcome == STEP_CHANGED);
	json_bool(j, "report_only", r->report_only);
	json_string(j, "reason", r->reason);
	if (s->command == SETUP_EXPLAIN)
		write_texts(j, r);
	json_string(j, "command", or_null(r->command));
	json_string(j, "via", or_null(r->via));
	json_string(j, "why", or_null(r->why));
	json_end_object(j);
}
